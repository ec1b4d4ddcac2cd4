from libs.eventkit.run import run
from tests.toy.main import TOY

run(TOY)
