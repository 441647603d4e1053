"""Measures that see data: what each neuron receives and sends over a sample of inputs.

Neurons Strength and Neurons Activation (La Malfa et al. 2024, eqs. 5 to 9) of any module, with their moments,
distributions, dead and saturated units, bottlenecks and extremes.
"""

from synaplex._callable_module import make_callable
from synaplex.measures.activity.collect import activity
from synaplex.measures.activity.extremes import extremes
from synaplex.measures.activity.passes import Inputs
from synaplex.measures.activity.result import Activity
from synaplex.measures.activity.segments import segment_strength
from synaplex.measures.activity.values import neurons_activation, neurons_strength

__all__ = [
    "Activity",
    "Inputs",
    "activity",
    "extremes",
    "neurons_activation",
    "neurons_strength",
    "segment_strength",
]

make_callable(__name__, activity)
