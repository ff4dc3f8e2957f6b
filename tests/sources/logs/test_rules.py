import pytest

from sources.logs import parse_assets, parse_statuses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("200", {200}),
        ("200-202, 304", {200, 201, 202, 304}),
        (" 200 - 201 ,200", {200, 201}),
    ],
)
def test_statuses(text: str, found: set[int]) -> None:
    assert parse_statuses(text) == found


@pytest.mark.parametrize(
    "text", ["", "2xx", "20", "200,", "099", "200-", "9-1", "299-200"]
)
def test_what_is_no_status(text: str) -> None:
    with pytest.raises(ValueError, match="is no status, nor a range such as 200-299"):
        parse_statuses(text)


def test_assets() -> None:
    assert parse_assets(".css, .JS") == (".css", ".js")
    assert parse_assets(" None ") == ()
    for text in ("", ".css,", ","):
        with pytest.raises(ValueError, match="has an empty ending; none is for no"):
            parse_assets(text)
