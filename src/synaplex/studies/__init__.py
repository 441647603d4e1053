"""Studies: published papers, rerun by one call, with their null models and the published numbers beside.

>>> from synaplex.studies import studies
>>> print(studies()["scabini"].title)
Does the structure of a network tell how well it performs?
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from synaplex.studies import heath, la_malfa_2021, la_malfa_2024, scabini, structurereps
from synaplex.studies.study import Study

_STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        study.name: study
        for study in (scabini.STUDY, la_malfa_2021.STUDY, la_malfa_2024.STUDY, heath.STUDY, structurereps.STUDY)
    }
)


def studies() -> Mapping[str, Study]:
    """The studies by name."""
    return _STUDIES


__all__ = ["Study", "studies"]
