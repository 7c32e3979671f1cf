from phonoscope_trainer.repository.tolerances import TOLERANCES, with_tolerances


def test_a_manifest_states_all_of_them_and_keeps_what_it_said_itself():
    own = {"bfloat16": {"number": 0.5, "spread": 0.25, "size": 0.125}}
    assert with_tolerances({"rules": {}}) == {"rules": {}, "tolerances": TOLERANCES}
    assert with_tolerances({"tolerances": own}) == {"tolerances": TOLERANCES | own}
