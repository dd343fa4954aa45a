"""The results database: what was searched, proposed, trained and found, in a few tables of our own."""

from nasengine.ledger.ledger import DEFAULT, Ledger
from nasengine.ledger.queries import METRIC, Replay, Reusable
from nasengine.ledger.search_record import SearchRecord, Trial

__all__ = ["DEFAULT", "METRIC", "Ledger", "Replay", "Reusable", "SearchRecord", "Trial"]
