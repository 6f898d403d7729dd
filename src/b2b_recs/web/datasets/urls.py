"""Addresses of the pages about warehouse tables."""

from django.urls import path

from b2b_recs.web.datasets import delete_views, views

PLACE = "models/<int:model_id>/data/"
TABLE = f"{PLACE}<str:table>/"

urlpatterns = [
    path(PLACE, views.tables, name="data"),
    path(TABLE, views.table, name="data_table"),
    path(f"{TABLE}delete/", delete_views.delete, name="data_delete"),
    path(f"{TABLE}preview/", views.preview, name="data_preview"),
    path(f"{TABLE}download/", views.download, name="data_download"),
    path(f"{TABLE}statistics/", views.statistics, name="data_statistics"),
    path(f"{TABLE}statistics/panel/", views.statistics_panel, name="data_statistics_panel"),
    path(f"{TABLE}quality/", views.quality, name="data_quality"),
    path(f"{TABLE}quality/panel/", views.quality_panel, name="data_quality_panel"),
    path(f"{TABLE}versions/", views.versions, name="data_versions"),
    path(f"{TABLE}versions/compare/", views.compare, name="data_compare"),
    path(f"{TABLE}versions/compare/panel/", views.compare_panel, name="data_compare_panel"),
    path(f"{TABLE}rejected/", views.rejected, name="data_rejected"),
    path(f"{TABLE}rejected/export/", views.rejected_export, name="data_rejected_export"),
]
