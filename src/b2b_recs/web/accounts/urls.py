"""Addresses about organizations, their people, and a person's own account."""

from django.urls import path

from b2b_recs.web.accounts import account_views, invitation_views, member_views, organizations

urlpatterns = [
    path("account/", account_views.account, name="account"),
    path("organization/new/", organizations.organization_new, name="organization_new"),
    path("organization/", organizations.organization_settings, name="organization"),
    path("organization/choose/", organizations.choose_organization, name="choose_organization"),
    path("organization/leave/", member_views.leave, name="leave_organization"),
    path("organization/members/", member_views.members, name="members"),
    path("organization/members/<int:membership_id>/role/", member_views.member_role, name="member_role"),
    path("organization/members/<int:membership_id>/remove/", member_views.member_remove, name="member_remove"),
    path("organization/invitations/<int:invitation_id>/renew/", member_views.invitation_renew, name="invitation_renew"),
    path(
        "organization/invitations/<int:invitation_id>/withdraw/",
        member_views.invitation_withdraw,
        name="invitation_withdraw",
    ),
    path("invitations/<str:token>/", invitation_views.invitation, name="invitation"),
]
