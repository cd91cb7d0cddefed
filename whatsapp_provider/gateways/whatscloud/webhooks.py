"""What WhatsCloud posts to a webhook: whether it is from WhatsCloud.

The receiver's part is the body as it came: a body that was read and written again has other bytes.
Source: public API pages of white labels of the same product; unverified on whatscloud.pro.
"""

from __future__ import annotations

import hmac

#: The header that the signature comes in; names of headers have no case.
SIGNATURE_HEADER = "x-webhook-signature"


def verify_signature(secret: str, body: bytes, signature: str) -> bool:
    """Whether a delivery was signed with the secret: HMAC-SHA256 over the raw body, in small hexadecimal letters.

    :param signature: of the header ``X-Webhook-Signature``, without any prefix.
    :return: ``False`` for an empty secret too, which anybody could sign with.
    """
    if not secret:
        return False
    expected = hmac.new(secret.encode(), body, "sha256").hexdigest()
    # As bytes: compare_digest refuses texts that are not ASCII, and the header is anybody's.
    return hmac.compare_digest(expected.encode(), signature.strip().encode("utf-8", "replace"))
