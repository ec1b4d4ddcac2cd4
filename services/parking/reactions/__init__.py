"""What parking does when others speak, and what follows from its own decisions."""

from libs.eventkit.reactions import Reaction
from libs.eventkit.service import App
from services.parking.book import LotBook
from services.parking.reactions.cameras import cameras
from services.parking.reactions.rights import rights_of_plates
from services.parking.reactions.stays import after_passages
from services.parking.residents import Residents


def reactions(app: App, book: LotBook, residents: Residents) -> tuple[Reaction, ...]:
    return cameras(app, book), after_passages(app, book), rights_of_plates(app, book, residents)
