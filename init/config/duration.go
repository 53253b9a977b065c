package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// duration reads a duration of at least the given length. A number without a unit is refused.
func duration(least time.Duration) value[time.Duration] {
	return parsed(schemaText, func(s string) (time.Duration, error) {
		d, err := ParseDuration(s)
		switch {
		case err != nil:
			return 0, err
		case d < least:
			return 0, fmt.Errorf("%s is too short; the least is %s", s, least)
		}
		return d, nil
	})
}

// ParseDuration parses a duration as [time.ParseDuration] does. It also takes weeks (w) and days (d)
// in front of the hours: 1w2d, 1d12h.
func ParseDuration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is not a duration; try 500ms, 10s, 1m30s or 2d", s)
	rest, total := s, time.Duration(0)
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		before, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(before, 64)
		if err != nil || math.IsNaN(n) || math.Abs(n) > float64(math.MaxInt64/8/unit.length) {
			return 0, wrong
		}
		total, rest = total+time.Duration(n*float64(unit.length)), after
	}
	if rest == "" && s != "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d > math.MaxInt64/2 {
		return 0, wrong
	}
	return total + d, nil
}
