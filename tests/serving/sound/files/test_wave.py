import io

import numpy as np
import pytest
import soundfile
from phonoscope_serving.sound.files.wave import WaveFile, read_header
from support.corpora.sound import music


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "G721_32"])
def test_any_section_is_the_same_samples_wherever_reading_was_before(subtype):
    file = io.BytesIO()
    soundfile.write(file, music(4), 22050, subtype, format="WAV")
    content = file.getvalue()
    wave = WaveFile(content, read_header(content), "audio")
    whole = np.concatenate(list(wave.frames(0, wave.samples)), axis=1)
    for start in (70_000, 30_000, 30_500, 31_000, 0, 80_000):
        section = np.concatenate(list(wave.frames(start, start + 1_000)), axis=1)
        np.testing.assert_array_equal(section, whole[:, start : start + 1_000])
