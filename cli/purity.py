"""The rule of import-linter for domains: what they may import, not what they may not, so that no list goes stale."""

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PureContract(Contract):
    """The modules import only each other, the standard library and what `allowed` names."""

    modules: Any = fields.StringField()
    allowed: Any = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        allowed = sys.stdlib_module_names | set(self.allowed)
        found = [
            f"{module} imports {imported}"
            for expression in graph.find_matching_modules(self.modules)
            for module in (expression, *graph.find_descendants(expression))
            for imported in graph.find_modules_directly_imported_by(module)
            if not imported.startswith(f"{expression}.") and imported not in allowed]
        return ContractCheck(kept=not found, metadata={"found": sorted(set(found))})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in dict[str, Any](check.metadata)["found"]:
            output.print_error(line, bold=False)
