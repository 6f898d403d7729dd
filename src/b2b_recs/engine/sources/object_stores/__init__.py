"""Buckets and containers: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage."""

from b2b_recs.engine.sources.object_stores.declarations import AmazonS3, AzureBlob, GoogleCloudStorage

__all__ = ["AmazonS3", "AzureBlob", "GoogleCloudStorage"]
