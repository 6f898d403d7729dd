"""Addresses of the ETL pages, and of copying that is not part of the documented API."""

from django.urls import include, path

from b2b_recs.web.etl import views
from b2b_recs.web.etl.wizard import views as wizard
from b2b_recs.web.etl.wizard.table_name import job_table_check

PLACE = "models/<int:model_id>/etl/"

urlpatterns = [
    path("api/etl/runner/", include("b2b_recs.web.etl.remote.urls")),
    path(PLACE, views.etl, name="etl"),
    path(f"{PLACE}list/", views.etl_jobs, name="etl_jobs"),
    path(f"{PLACE}numbers/", views.etl_numbers, name="etl_numbers"),
    path(f"{PLACE}run/", views.etl_run_all, name="etl_run_all"),
    path(f"{PLACE}follow/", views.etl_follow, name="etl_follow"),
    path(f"{PLACE}jobs/new/", wizard.job_new, name="job_new"),
    path(f"{PLACE}jobs/name/", wizard.job_name_check, name="job_name_check"),
    path(f"{PLACE}jobs/schedule/", wizard.job_schedule_words, name="job_schedule_words"),
    path(f"{PLACE}jobs/<int:job_id>/", views.job, name="job"),
    path(f"{PLACE}jobs/<int:job_id>/live/", views.job_live, name="job_live"),
    path(f"{PLACE}jobs/<int:job_id>/step/<int:step>/", wizard.job_step, name="job_step"),
    path(f"{PLACE}jobs/<int:job_id>/tables/", wizard.job_tables, name="job_tables"),
    path(f"{PLACE}jobs/<int:job_id>/table-name/", job_table_check, name="job_table_check"),
    path(f"{PLACE}jobs/<int:job_id>/run/", views.job_run, name="job_run"),
    path(f"{PLACE}jobs/<int:job_id>/switch/", views.job_switch, name="job_switch"),
    path(f"{PLACE}jobs/<int:job_id>/delete/", views.job_delete, name="job_delete"),
]
