"""What parking does when others speak, and what follows from its own decisions."""

from libs.eventkit.reactions import Reaction
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.reactions.cameras import cameras
from services.parking.reactions.rights import rights_of_plates
from services.parking.reactions.stays import after_passages


def reactions(app: App, book: LotBook) -> tuple[Reaction, ...]:
    return cameras(app, book), after_passages(app, book), rights_of_plates(app)
