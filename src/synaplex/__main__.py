"""``python -m synaplex`` is the command `synaplex`."""

from synaplex.cli import app

if __name__ == "__main__":
    app(prog_name="synaplex")
