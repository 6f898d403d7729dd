"""The lists of the try-it panel hold what their names say, in the order of the scores."""

from __future__ import annotations

from typing import Any

from b2b_recs.web.deployments.answer_lists import lists_of, score_texts


def one(product: str, score: float, kind: str) -> dict[str, Any]:
    return {"product_id": product, "score": score, "list": kind, "reason": "Ordered."}


BOUGHT = [
    one("a", 5.0, "buy again"),
    one("b", 4.0, "due to reorder"),
    one("c", 3.0, "popular"),
    one("d", 2.0, "due to reorder"),
    one("e", 1.0, "due to reorder"),
]


def test_only_what_is_due_stands_under_due_in_the_order_of_its_scores() -> None:
    lists = lists_of(BOUGHT, [one("n", 0.5, "new for you")], 2)
    found = {each.slug: [row.product_id for row in each.rows] for each in lists}
    assert found == {"due": ["b", "d"], "again": ["a", "c"], "new": ["n"]}
    assert [each.slug for each in lists] == ["due", "again", "new"]


def test_a_list_without_products_comes_last_and_says_why() -> None:
    lists = lists_of(BOUGHT[:1], [one("n", 0.5, "new for you")], 10)
    assert [each.slug for each in lists] == ["again", "new", "due"]
    assert lists[-1].empty == "Nothing this customer orders again and again is due."
    assert "nothing the model knows" in lists_of([], [], 10)[0].empty


def test_scores_have_the_digits_that_tell_them_apart_and_are_left_out_where_they_say_nothing() -> None:
    assert score_texts([2.31, 1.5, 0.25]) == ["2.31", "1.50", "0.25"]
    assert score_texts([0.0042, 0.0041, 0.0039]) == ["0.0042", "0.0041", "0.0039"]
    assert score_texts([0.99999, 0.99998]) == ["0.99999", "0.99998"]
    assert score_texts([3e-9, 2e-9]) == ["", ""] == score_texts([1.0, 1.0])
    assert score_texts([0.5]) + score_texts([0.7]) == ["", ""]
    assert not lists_of(BOUGHT[:1], [], 10)[0].with_scores and lists_of(BOUGHT, [], 10)[0].with_scores


def test_products_that_popularity_filled_in_have_no_score_beside_those_that_were_chosen() -> None:
    new = [one("n", 0.5, "new for you"), one("m", 0.4, "new for you"), one("p", 9.94e-13, "popular")]
    assert [row.score for row in lists_of([], new, 10)[0].rows] == ["0.50", "0.40", ""]
    assert not lists_of([], [one("p", 9.94e-13, "popular"), one("q", 9.9e-13, "popular")], 10)[0].with_scores
