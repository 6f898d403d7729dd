"""The accounts application."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who may do what: users, organizations, members, invitations, keys."""

    name = "b2b_recs.web.accounts"
    label = "accounts"
