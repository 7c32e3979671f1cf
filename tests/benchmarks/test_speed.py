"""What the page of speed is made of: its tables, and the multiply-adds that graphs are counted for."""

import numpy as np
import onnx.parser
import pytest
from bench_gemm import counted_by_profile
from page import put, table


def test_a_table_has_its_place_in_a_page_and_nothing_else_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- one -->\nold\n<!-- end of one -->\nafter\n")
    for _ in range(2):
        put(page, "one", table(("part", "ms"), [("*a*", 1.234), ("b", 2.0)]))
    written = "| part | ms |\n| --- | ---: |\n| *a* | 1.23 |\n| b | 2.00 |"
    assert page.read_text() == f"before\n<!-- one -->\n{written}\n<!-- end of one -->\nafter\n"
    with pytest.raises(ValueError, match="no place for two"):
        put(page, "two", "")


@pytest.mark.parametrize(
    ("node", "shapes", "multiply_adds"),
    [
        ("Conv(x, w)", ([2, 3, 10, 10], [8, 3, 5, 2]), 2 * 8 * 6 * 9 * 3 * 10),
        ("ConvTranspose <group = 2> (x, w)", ([2, 4, 7, 5], [4, 3, 3, 3]), 2 * 4 * 7 * 5 * 3 * 9),
        ("Gemm(x, w)", ([3, 12], [12, 5]), 3 * 12 * 5),
        ("Gemm <transA = 1> (x, w)", ([12, 3], [12, 5]), 3 * 12 * 5),
        ("MatMul(x, w)", ([3, 2, 12], [12, 5]), 3 * 2 * 12 * 5),
        ("Add(x, w)", ([3, 12], [3, 12]), 0),
    ],
    ids=["convolution", "transposed", "product", "turned", "batched product", "sum"],
)
def test_multiply_adds_are_those_of_convolutions_and_products(node, shapes, multiply_adds):
    taken = ", ".join(f"float{shape} {name}" for name, shape in zip("xw", shapes, strict=True))
    text = f'<ir_version: 8, opset_import: ["": 17]> agraph ({taken}) => (float[] y) {{ y = {node} }}'
    graph = onnx.parser.parse_model(text).SerializeToString()
    inputs = {name: np.zeros(shape, np.float32) for name, shape in zip("xw", shapes, strict=True)}
    assert counted_by_profile(graph, inputs) == multiply_adds
