"""What a service's owner runs on its database beside Alembic's scripts: SQL of the mechanism, whole and again whenever it has changed."""

from cli.place import ROOT
from libs.eventkit.views import View

SQL = ROOT / "libs" / "eventkit" / "migrations"
_LOG = "\n".join((SQL / f"{name}.sql").read_text() for name in ("append", "service", "seal", "retention"))
_VIEW = (SQL / "view.sql").read_text()


def of_log(service: str) -> str:
    """Functions, roles and their rights: everything but the tables that Alembic makes."""
    return _LOG.replace("$service", service)


def of_view(view: View, service: str) -> str:
    """A table of another shape or version is dropped and will be folded again."""
    shape, create = view.shape
    return _VIEW.replace("$create", create).replace("$shape", shape).replace("$table", view.name).replace("$service", service)
