"""Addresses."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from orchestrator.api import negotiated
from orchestrator.api import root as api

urlpatterns = [
    *api.urlpatterns,
    *negotiated.urlpatterns,
    path("admin/", admin.site.urls),
    path("accounts/login/", login_not_required(LoginView.as_view(template_name="site/login.html")), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
]
