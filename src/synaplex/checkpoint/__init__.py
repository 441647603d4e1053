"""Layer-level measures of weights as they lie in files, read tensor by tensor."""

from synaplex.checkpoint.measuring import measure_file
from synaplex.checkpoint.opening import Checkpoint, open_checkpoint
from synaplex.checkpoint.stored import StoredTensor

__all__ = ["Checkpoint", "StoredTensor", "measure_file", "open_checkpoint"]
