"""How far values with inherited weights can be trusted: some networks are measured with them, then trained really."""

from nasengine.fidelity.report import Fidelity, Pair, fidelity_of, known_fidelity

__all__ = ["Fidelity", "Pair", "fidelity_of", "known_fidelity"]
