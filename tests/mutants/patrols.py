"""Patrols: whose tag it is, when somebody was there, when a round begins, how it is judged."""

from tests.mutants.mutant import of

HERE = "services/alarm"
UNIT = "tests/unit/alarm"
SCANS = f"{UNIT}/test_patrol_scans.py"
VIEWS = f"{UNIT}/test_patrol_views.py"

OF_ALARM = (
    *of(
        f"{HERE}/domain/patrol_points.py", SCANS,
        ("a point without a tag", "    if not tag:", "    if False:"),
        ("a point loses its tag where none is given", 'tag = asked.tag or (point.said.tag if isinstance(point, Point) else "")',
         'tag = asked.tag or ("kept" if isinstance(point, Point) else "")'),
        ("what is out of use keeps its tag from others", "if event.in_use else ()", "if True else ()"),
        ("a tag hangs at two points", 'Take("patrol-tag", event.tag, ', 'Take("patrol-tag", str(event.point_id), '),
        ("a degree of a parallel is as long as one of a meridian", "cos(north) * cos(other) * sin", "sin"),
    ),
    *of(
        f"{HERE}/domain/patrol_scans.py", SCANS,
        ("a phone's clock is believed", "moment_of(command.scanned_at, command.sent_at, command.now)", "command.scanned_at"),
        ("when it was told counts", "moment_of(command.scanned_at, command.sent_at, command.now)", "command.now"),
        ("a scan of the future", "max(sent_at - scanned_at, timedelta())", "sent_at - scanned_at"),
        ("whoever is elsewhere is there", "distance - reading.accuracy <= spot.within", "True"),
        ("a reading that could be there is not believed", "distance - reading.accuracy <= spot.within", "distance <= spot.within"),
        ("a phone's every moment ahead is refused", "if ago < -AHEAD:", "if ago < timedelta():"),
        ("what was kept for a year counts", "if ago > KEPT:", "if False:"),
        ("another one's scan is taken for the same", "(scan.point_id, scan.by) != (command.point_id, command.by)", "scan.by != command.by"),
        ("a scan counts again each time that it is told", "    if isinstance(scan, Scanned):", "    if False:"),
    ),
    *of(
        f"{HERE}/patrol_book.py", f"{UNIT}/test_patrol_book.py",
        ("a tag hangs where it was put first for ever", "one.until is None or at < one.until", "True"),
        ("a tag is of where it hangs now", "one.until is None or at < one.until", "one.until is None"),
        ("a point out of use keeps its tag", "                if in_use:", "                if True:"),
        ("a tag still hangs where it was taken away", "[-1].until = row.recorded_at", "[-1].until = None"),
    ),
    *of(
        f"{HERE}/domain/patrol_routes.py", f"{UNIT}/test_patrol_routes.py",
        ("a route is changed by who has not seen how it is", "    if command.seen != edition:", "    if False:"),
        ("a round begins late", "return self.due(0) - self.counts", "return self.due(0)"),
        ("a round begins twice", " if start not in ahead)", ")"),
        ("a start before that of a round that has begun is left out", "starts(said.timetable, said.since)",
         "starts(said.timetable, max([said.since, *ahead]))"),
        ("a route stands still where its first days are over", "replace(said[ended], since=new.starts_at)", "said[ended]"),
        ("what was due before a change is as the change has it", "(after is None or start <= after.since)", "after is None"),
        ("an older edition goes on", "start is not None and (after is None or start <= after.since)", "start is not None"),
        ("a route out of use goes on", " if said.in_use else None", ""),
        ("rounds are remembered for ever", "dropwhile(lambda one: one.starts_at < since, begun)", "begun"),
        ("rounds are forgotten while a phone may still tell of them", "KEPT + timedelta(minutes=3 * LONGEST)", "KEPT"),
        ("editions that are over are kept", "said[ended + 1:])", "said[1:])"),
        ("on every day", "    if day.isoweekday() not in table.weekdays:", "    if False:"),
        ("by the clock of Greenwich", "time(*divmod(minute, 60)), zone)", "time(*divmod(minute, 60)), UTC)"),
        ("as many at once as there are", "while len(begun) < AT_ONCE and", "while"),
        ("stops in any order", "afters != sorted(afters) or", ""),
        ("the same again is another edition",
         "    if last is not None and (last.course, last.timetable, last.in_use) == (asked.course, asked.timetable, asked.in_use):",
         "    if False:"),
    ),
    *of(
        f"{HERE}/domain/patrol_rounds.py", f"{UNIT}/test_patrol_rounds.py",
        ("a scan is of the first stop that it could be of", "distance, stop = min(near,", "distance, stop = next(iter(near),"),
        ("whoever comes hours late was there", "stop >= 0 and distance <= walked.counts else None", "stop >= 0 else None"),
        ("of several the last that was told counts", "_order(walked.round, stop, known) <= _order(walked.round, stop, visit)", "False"),
        ("the first that was told counts", "_order(walked.round, stop, known) <= _order(walked.round, stop, visit)", "True"),
        ("early is late", 'return "early" if at < walked.due(stop) else "late"', 'return "late"'),
        ("all that counts is on time", "timedelta(minutes=walked.course.tolerance)", "timedelta(minutes=walked.course.counts)"),
        ("missed before its time is over", "walked.due(stop) + walked.counts <= command.now]", "walked.due(stop) <= command.now]"),
        ("missed is not taken back", "missed=missed - {stop})", "missed=missed)"),
        ("a round is judged while stops are open", "    if not new or open_stops(walked := _walked(_after(before, new))):",
         "    if not new or not (walked := _walked(_after(before, new))):"),
        ("a round is judged once", "    if last is not None and last.stops == stops:", "    if last is not None:"),
        ("the same is judged again", "    if last is not None and last.stops == stops:", "    if False:"),
        ("a stop is closed too late", "return min((state.round.due(stop)", "return max((state.round.due(stop)"),
    ),
    *of(
        f"{HERE}/views/patrols.py", VIEWS,
        ("a round changes the version of its route", "edition=event.edition)", "edition=row.version)"),
    ),
    *of(
        f"{HERE}/views/patrol_rounds.py", VIEWS,
        ("a stop that was met late is missed", "return {\"stops\": _with(stops, n, met=met, at=visit.at, by=visit.by)}",
         "return {\"stops\": _with(stops, n, at=visit.at, by=visit.by)}"),
        ("all stops are met at once", "if i == n else stop", "if True else stop"),
        ("a scan counted in one round alone", 'rounds=[*known["rounds"], round_id])', "rounds=[round_id])"),
    ),
)
OF_GATEWAY = (
    *of(
        "services/gateway/figures.py", "tests/unit/gateway/test_figures.py",
        ("percent of the stops that were missed", '(stops - row["missed"]) * 100 // stops', 'row["missed"] * 100 // stops'),
        ("a route has the name that it had first", 'row["names"][0]', 'row["names"][-1]'),
    ),
)
