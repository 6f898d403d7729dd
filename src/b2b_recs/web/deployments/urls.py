"""Addresses of the try-it panel, of a model's versions and of its API keys."""

from django.urls import path

from b2b_recs.web.deployments import key_views, organization_keys, version_views, views

urlpatterns = [
    path("models/<int:model_id>/try/", views.try_it, name="try_it"),
    path("models/<int:model_id>/try/answer/", views.try_answer, name="try_answer"),
    path("models/<int:model_id>/try/customers/", views.try_customers, name="try_customers"),
    path("models/<int:model_id>/versions/", version_views.versions, name="versions"),
    path(
        "models/<int:model_id>/versions/<int:version_id>/deploy/", version_views.version_deploy, name="version_deploy"
    ),
    path("models/<int:model_id>/service/back/", version_views.service_back, name="service_back"),
    path("models/<int:model_id>/service/stop/", version_views.service_stop, name="service_stop"),
    path("models/<int:model_id>/service/start/", version_views.service_start, name="service_start"),
    path("models/<int:model_id>/keys/", key_views.model_keys, name="model_keys"),
    path("models/<int:model_id>/keys/<int:key_id>/revoke/", key_views.model_key_revoke, name="model_key_revoke"),
    path("organization/api-keys/", organization_keys.organization_keys, name="organization_keys"),
    path("organization/api-keys/<int:key_id>/revoke/", organization_keys.key_revoke, name="organization_key_revoke"),
]
