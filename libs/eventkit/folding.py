"""A view's fold apart from its table: what a rebuild writes, what a check compares with, what was so at another time."""
from libs.eventkit.recorded import Catalogue, Recorded
from libs.eventkit.views import Row, Rows, View

class Fold:
    """Of one community, in memory, event by event as the live writer takes them. `failed`: where that could not, and why."""
    def __init__(self, view: View) -> None:
        self.view, self._rows, self.failed = view, Rows(view.key), list[tuple[int, str]]()
    def take(self, catalogue: Catalogue, row: Recorded) -> None:
        try:
            event = catalogue.read(row)
            if event is not None and [*self.view.reads(event, row)]:
                self.view.project(self._rows, event, row)
        except Exception as error:
            self.failed.append((row.position, type(error).__name__))
    def rows(self) -> list[Row]:
        return [row for row in self._rows.changed.values() if row is not None]
