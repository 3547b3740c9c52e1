"""The errors of the shop, as WordPress tells them."""

from daybook.channel.contract import Payload


class WooError(Exception):
    """An error with its code, its message, and data that hold the HTTP status."""

    def __init__(self, code: str, message: str, status: int, **data: object) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.data = code, message, status, data

    def body(self) -> Payload:
        """Gives the answer's body."""
        return {"code": self.code, "message": self.message, "data": {"status": self.status, **self.data}}


def invalid_id(post_type: str, status: int) -> WooError:
    """Tells that there is no such product or variation."""
    return WooError(f"woocommerce_rest_{post_type}_invalid_id", "Invalid ID.", status)


def not_under_products() -> WooError:
    """Tells that a variation is changed below its product only."""
    path = "/products/&lt;product_id&gt;/variations/&lt;id&gt;"
    message = f"To manipulate product variations you should use the {path} endpoint."
    return WooError("woocommerce_rest_invalid_product_id", message, 404)


def critical() -> WooError:
    """Tells of an error in the shop's own code, in HTML."""
    message = "<p>There has been a critical error on this website.</p>"
    return WooError("internal_server_error", message, 500)
