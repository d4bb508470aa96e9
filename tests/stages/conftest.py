"""What every test of stages may ask for besides the fixtures above."""

from tests.simulators.pki import tryout_pki, tryout_signer, tryout_tsa

__all__ = ["tryout_pki", "tryout_signer", "tryout_tsa"]
