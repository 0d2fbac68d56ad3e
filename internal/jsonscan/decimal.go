package jsonscan

import (
	"math/big"
	"strconv"
)

// A decimal is a JSON number, exactly. It points into the text, so that a
// number of a million digits costs nothing to hold and 1e999999999 nothing to
// compare.
type decimal struct {
	whole, fraction []byte // digits, with zeros at both ends cut off
	negative        bool
	scale           int64 // the value is 0.<digits> times ten to this
}

// newDecimal reads a number that has been proved to be one.
func newDecimal(b []byte) decimal {
	var d decimal
	if b[0] == '-' {
		d.negative = true
		b = b[1:]
	}
	i := 0
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	d.whole, b = b[:i], b[i:]
	if len(b) > 0 && b[0] == '.' {
		for i = 1; i < len(b) && b[i]-'0' <= 9; i++ {
		}
		d.fraction, b = b[1:i], b[i:]
	}
	var exponent int64
	if len(b) > 0 {
		b = b[1:]
		minus := b[0] == '-'
		if minus || b[0] == '+' {
			b = b[1:]
		}
		for _, c := range b {
			if exponent < 1<<50 {
				exponent = exponent*10 + int64(c-'0')
			}
		}
		if minus {
			exponent = -exponent
		}
	}
	for len(d.fraction) > 0 && d.fraction[len(d.fraction)-1] == '0' {
		d.fraction = d.fraction[:len(d.fraction)-1]
	}
	for len(d.whole) > 0 && d.whole[0] == '0' {
		d.whole = d.whole[1:]
	}
	d.scale = exponent + int64(len(d.whole))
	if len(d.whole) == 0 {
		for len(d.fraction) > 0 && d.fraction[0] == '0' {
			d.fraction = d.fraction[1:]
			d.scale--
		}
	}
	if len(d.fraction) == 0 {
		for len(d.whole) > 0 && d.whole[len(d.whole)-1] == '0' {
			d.whole = d.whole[:len(d.whole)-1]
		}
	}
	if d.zero() {
		d.negative, d.scale = false, 0
	}
	return d
}

func (d *decimal) zero() bool  { return len(d.whole)+len(d.fraction) == 0 }
func (d *decimal) digits() int { return len(d.whole) + len(d.fraction) }

func (d *decimal) digit(i int) byte {
	if i < len(d.whole) {
		return d.whole[i]
	}
	return d.fraction[i-len(d.whole)]
}

// integer reports whether there is no fraction: 1, 1.0, 1e3.
func (d *decimal) integer() bool { return d.scale >= int64(d.digits()) || d.zero() }

// compare returns -1, 0 or 1.
func (d *decimal) compare(e *decimal) int {
	sign := 1
	switch {
	case d.zero() && e.zero():
		return 0
	case d.zero():
		if e.negative {
			return 1
		}
		return -1
	case e.zero():
		if d.negative {
			return -1
		}
		return 1
	case d.negative != e.negative:
		if d.negative {
			return -1
		}
		return 1
	case d.negative:
		sign = -1
	}
	if d.scale != e.scale {
		if d.scale < e.scale {
			return -sign
		}
		return sign
	}
	n, k := d.digits(), e.digits()
	for i := 0; i < n && i < k; i++ {
		if x, y := d.digit(i), e.digit(i); x != y {
			if x < y {
				return -sign
			}
			return sign
		}
	}
	switch {
	case n < k:
		return -sign
	case n > k:
		return sign
	}
	return 0
}

func (d *decimal) digest() uint64 {
	h := uint64(d.scale) * prime1
	if d.negative {
		h = ^h
	}
	for i, n := 0, d.digits(); i < n; i++ {
		h = (h ^ uint64(d.digit(i))) * prime2
		h ^= h >> 32
	}
	return h
}

// small returns the digits as an integer and the power of ten it is to be
// multiplied with, if there are at most 18.
func (d *decimal) small() (n int64, exponent int64, ok bool) {
	k := d.digits()
	if k > 18 {
		return 0, 0, false
	}
	for i := 0; i < k; i++ {
		n = n*10 + int64(d.digit(i)-'0')
	}
	return n, d.scale - int64(k), true
}

// mostDigits is how many digits a number may have to be divided exactly. What
// is longer is not money, a count or a measure; it is refused, not rounded.
const mostDigits = 4096

// multipleOf reports whether d is e times an integer. ok is false when d is
// too long to be asked.
func (d *decimal) multipleOf(e *decimal) (yes, ok bool) {
	if d.zero() {
		return true, true
	}
	x, p, small1 := d.small()
	y, q, small2 := e.small()
	if small1 && small2 {
		// x*10^p / (y*10^q)
		k := p - q
		if k < 0 {
			return false, true // x does not end in a zero
		}
		for ; k > 0 && x <= 1e17; k-- {
			x *= 10
		}
		if k == 0 {
			return x%y == 0, true
		}
		// x and y are at most 18 digits long: x*10^k mod y by squaring.
		b := big.NewInt(y)
		r := new(big.Int).Exp(big.NewInt(10), big.NewInt(k), b)
		r.Mul(r, big.NewInt(x)).Mod(r, b)
		return r.Sign() == 0, true
	}
	if d.digits() > mostDigits || e.digits() > mostDigits {
		return false, false
	}
	a, b := d.big(), e.big()
	k := d.scale - int64(d.digits()) - (e.scale - int64(e.digits()))
	if k < 0 {
		return false, true // a does not end in a zero
	}
	r := new(big.Int).Exp(big.NewInt(10), big.NewInt(k), b)
	r.Mul(r, a).Mod(r, b)
	return r.Sign() == 0, true
}

func (d *decimal) big() *big.Int {
	b := append(append(make([]byte, 0, d.digits()), d.whole...), d.fraction...)
	n, _ := new(big.Int).SetString(string(b), 10)
	return n
}

// smallInt reads up to 18 digits after an optional minus.
func smallInt(b []byte) int64 {
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	var n int64
	for _, c := range b {
		n = n*10 + int64(c-'0')
	}
	if negative {
		return -n
	}
	return n
}

// within reports whether d is an integer from low to high.
func (d *decimal) within(low, high int64) bool {
	if !d.integer() {
		return false
	}
	l, h := newDecimal(strconv.AppendInt(nil, low, 10)), newDecimal(strconv.AppendInt(nil, high, 10))
	return d.compare(&l) >= 0 && d.compare(&h) <= 0
}
