"""How a module becomes a graph: its computation is recorded, and walked with a rule for each operation."""
