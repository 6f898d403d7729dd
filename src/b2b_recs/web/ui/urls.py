"""Addresses of the design system's gallery."""

from django.urls import path

from b2b_recs.web.ui.gallery import gallery

urlpatterns = [path("ui/", gallery, name="ui_gallery")]
