package jsonscan

import "slices"

// Cut returns data without the members that the violations' Start and End
// enclose, in a new slice. data is JSON that Scan has read, and vs (some of)
// the violations it found there, in any order; what is not a place in data is
// passed over.
//
// A span holds the comma before its member, or for the first member the one
// after it. When the first goes together with its neighbours, one comma is
// left over; it is dropped here.
func Cut(data []byte, vs []Violation) []byte {
	spans := make([]Span, 0, len(vs))
	for i := range vs {
		if v := &vs[i]; v.Start >= 0 && v.Start < v.End && v.End <= len(data) {
			spans = append(spans, Span{v.Start, v.End})
		}
	}
	slices.SortFunc(spans, func(a, b Span) int { return a.Start - b.Start })
	out := make([]byte, 0, len(data))
	at := 0
	for i := 0; i < len(spans); {
		start, end := spans[i].Start, spans[i].End
		for i++; i < len(spans); i++ { // those that touch are one
			if spans[i].Start > skipBlank(data, end) {
				break
			}
			end = max(end, spans[i].End)
		}
		out = append(out, data[at:start]...)
		at = end
		if before := lastByte(out); before != '{' && before != '[' {
			continue
		}
		if after := skipBlank(data, end); after < len(data) && data[after] == ',' {
			at = after + 1
		}
	}
	return append(out, data[at:]...)
}

func skipBlank(data []byte, i int) int {
	for i < len(data) && blank[data[i]] {
		i++
	}
	return i
}

// lastByte is the last byte that is not blank, or 0.
func lastByte(b []byte) byte {
	for i := len(b) - 1; i >= 0; i-- {
		if !blank[b[i]] {
			return b[i]
		}
	}
	return 0
}
