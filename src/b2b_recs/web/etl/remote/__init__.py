"""Runs carried out elsewhere: their tokens, the addresses runners ask, and how one is sent on its way."""
