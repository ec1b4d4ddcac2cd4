"""What is done for one service, by tasks that are started again each by itself."""

from cli.keeper.heads import Outside
from cli.keeper.retiring import clean, retire_daily
from cli.keeper.sealing import Sealing
from libs.eventkit.service import App


def start(app: App, outside: Outside) -> None:
    """Until the app is closed. A database that is away or not yet migrated is tried again."""
    name, database = app.service.name, app.database
    app.supervisor.start(f"{name}: seal", Sealing(name, database, app.wake, outside).run)
    app.supervisor.start(f"{name}: retention", lambda: retire_daily(database, app.service.retention, list(app.checkpoints())))
    app.supervisor.start(f"{name}: cleaning", lambda: clean(database))
    app.supervisor.start(f"{name}: listen", lambda: app.wake.listen(database))
