"""The JSON API: one document, one door, one shape of refusals; each capability declares its own operations."""
