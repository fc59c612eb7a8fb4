from datetime import time
from pathlib import Path

from responder.app.desk import calendar_of
from responder.app.pieces import pages_url
from responder.config import load_config


def test_the_calendar_of_the_desk_is_the_one_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[desk]\nbusiness_hours = "10:00-16:00"\nclosed = ["08-15"]\n[service]\ntimezone = "Asia/Seoul"\n')
    calendar = calendar_of(load_config(file, {}))
    assert (calendar.zone.key, calendar.opens, calendar.closes) == ("Asia/Seoul", time(10), time(16))
    assert calendar.closed == {(8, 15)}


def test_links_begin_with_where_the_pages_are(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    urls = []
    for text in ('url = "https://desk.example.jp/"', 'listen = "127.0.0.1:9000"', 'listen = ""'):
        file.write_text(f"[desk]\n{text}\n")
        urls.append(pages_url(load_config(file, {})))
    assert urls == ["https://desk.example.jp", "http://127.0.0.1:9000", ""]
