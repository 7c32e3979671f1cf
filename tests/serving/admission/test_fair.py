from collections import Counter

from phonoscope_serving.admission.fair import FairOrder


def served(order, costs, turns):
    """Who was served how often, where all of them always wait."""
    counts = Counter()
    for _ in range(turns):
        name = min(costs, key=order.place)
        order.charge(name, costs[name])
        counts[name] += 1
    return counts


def test_everybody_gets_the_same_amount_not_the_same_number_of_turns():
    counts = served(FairOrder(), {"small": 1, "large": 10, "middle": 5}, 1300)
    assert abs(counts["small"] - 10 * counts["large"]) <= 10
    assert abs(counts["middle"] - 2 * counts["large"]) <= 2


def test_who_was_away_has_no_turns_saved_up():
    order = FairOrder()
    served(order, {"there": 1}, 1000)
    assert served(order, {"there": 1, "back": 1}, 100) == {"there": 50, "back": 50}


def test_who_has_had_too_much_waits_until_others_have_had_as_much():
    order = FairOrder()
    served(order, {"a": 1, "b": 1}, 2)
    order.charge("a", 10)
    assert served(order, {"a": 1, "b": 1}, 10)["b"] >= 9


def test_names_are_forgotten_once_they_are_even():
    order = FairOrder()
    for number in range(1000):
        order.charge(number, 1)
        order.charge("steady", 2)
    assert len(order._had) < 10
