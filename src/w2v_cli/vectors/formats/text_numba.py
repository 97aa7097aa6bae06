"""The compiled parser of lines `word number …`, several times as fast as Python's float."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import njit

_LARGEST_POWER = 60  # of ten: 1.4e-45, float32's smallest number, with 9 digits is 140129846e-53
_POWERS = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])
_MARGIN = 2.0**-50  # digits, power and quotient each have a relative error of at most 2^-53
_MOST_DIGITS = 19  # any number of that many digits fits into 64 bits
_SPACE, _NEWLINE, _PLUS, _MINUS, _POINT, _ZERO, _NINE = 32, 10, 43, 45, 46, 48, 57
_LOWER_E, _UPPER_E = 101, 69

Texts = NDArray[np.uint8]


@njit()
def parse_plain_lines(text: Texts, values: NDArray[np.float32], borders: NDArray[np.int64]) -> Any:
    """Read lines until the first that is not plain; return the number of lines, and where that line begins.

    A plain line is a word without spaces, D numbers with a single space before each, and a newline. Left to the caller
    are other lines, numbers of more than 19 digits, and numbers so close to the middle between two float32 values that
    the error of double precision could decide.

    text: (bytes,), ends in a newline; written: values (R, D), and borders (R, 2), the begin and end of each word.
    """
    lines, place = 0, 0
    rows, dim = values.shape
    while lines < rows and place < len(text):
        begin = place
        while text[place] != _SPACE and text[place] != _NEWLINE:
            place += 1
        borders[lines, 0], borders[lines, 1] = begin, place
        for column in range(dim):
            if text[place] != _SPACE:
                return lines, begin
            place = parse_number(text, place + 1, values, lines, column)
            if place == 0:
                return lines, begin
        if text[place] != _NEWLINE:
            return lines, begin
        place += 1
        lines += 1
    return lines, place


@njit()
def parse_number(text: Texts, place: int, values: NDArray[np.float32], row: int, column: int) -> int:
    """Read a number into values[row, column]; return where it ends, 0 for one that is left to the caller.

    digits · 10^exponent in double precision is off by less than the margin; if both ends of the margin round to the
    same float32, that is the number.
    """
    is_negative = text[place] == _MINUS
    if is_negative or text[place] == _PLUS:
        place += 1
    place, mantissa, exponent = read_digits(text, place)
    if place and (text[place] == _LOWER_E or text[place] == _UPPER_E):
        place, power = read_exponent(text, place + 1)
        exponent += power
    if place == 0 or not -_LARGEST_POWER <= exponent <= _LARGEST_POWER:
        return 0
    number = np.float64(mantissa)
    number = number * _POWERS[exponent] if exponent >= 0 else number / _POWERS[-exponent]
    value = np.float32(number * (1 - _MARGIN))
    if value != np.float32(number * (1 + _MARGIN)):
        return 0
    values[row, column] = -value if is_negative else value
    return place


@njit()
def read_digits(text: Texts, place: int) -> Any:
    """Return where digits end (0 for none or too many), the number they form without the point, and its exponent."""
    mantissa: Any = np.uint64(0)
    digits, exponent = 0, 0
    has_point, has_digit = False, False
    while True:
        byte: Any = text[place]
        if _ZERO <= byte <= _NINE:
            mantissa = mantissa * np.uint64(10) + np.uint64(byte - _ZERO)
            has_digit = True
            digits += mantissa > 0
            exponent -= has_point
        elif byte == _POINT and not has_point:
            has_point = True
        else:
            return (place if has_digit and digits <= _MOST_DIGITS else 0), mantissa, exponent
        place += 1


@njit()
def read_exponent(text: Texts, place: int) -> Any:
    """Return where an exponent ends (0 for none), and its value."""
    is_negative = text[place] == _MINUS
    if is_negative or text[place] == _PLUS:
        place += 1
    begin = place
    power = 0
    while _ZERO <= text[place] <= _NINE:
        digit: Any = text[place]
        power = min(10 * power + digit - _ZERO, 1000)  # anything larger gives infinity or 0
        place += 1
    return (place if place > begin else 0), (-power if is_negative else power)
