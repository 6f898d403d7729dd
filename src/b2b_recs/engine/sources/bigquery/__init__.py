"""BigQuery: parameters, the services that are asked, discovery, queries, and reading over the Storage Read API."""

from b2b_recs.engine.sources.bigquery.declaration import BigQuery

__all__ = ["BigQuery"]
