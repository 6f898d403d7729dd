"""Addresses about a person's own account."""

from django.urls import path

from b2b_recs.web.accounts.organizations import choose_organization

urlpatterns = [path("organization/", choose_organization, name="choose_organization")]
