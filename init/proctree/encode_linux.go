package proctree

import (
	"strconv"
	"strings"
)

// encode returns the order as a list of strings that end with NUL. check has made sure that no
// string contains one. Of Files it only says which ones are closed: the descriptors themselves are
// sent beside it.
func (o *Order) encode() []byte {
	var b []byte
	text := func(s string) { b = append(append(b, s...), 0) }
	number := func(n int64) { text(strconv.FormatInt(n, 10)) }
	texts := func(list []string) {
		number(int64(len(list)))
		for _, s := range list {
			text(s)
		}
	}
	flag := func(f bool) {
		if f {
			number(1)
		} else {
			number(0)
		}
	}
	text(o.Path)
	texts(o.Args)
	texts(o.Env)
	text(o.Dir)
	number(int64(len(o.Files)))
	for _, fd := range o.Files {
		flag(fd >= 0)
	}
	flag(o.Setsid)
	flag(o.Setpgid)
	number(int64(o.Pgid))
	flag(o.NoNewPrivs || o.Own != nil)
	number(int64(o.OOMMore))
	flag(o.Own != nil)
	if o.Own != nil {
		number(int64(o.Own.UID))
		number(int64(o.Own.Killer))
	}
	flag(o.User != nil)
	if o.User != nil {
		number(int64(o.User.UID))
		number(int64(o.User.GID))
		number(int64(len(o.User.Groups)))
		for _, g := range o.User.Groups {
			number(int64(g))
		}
	}
	return b
}

// decode returns the order that encode has written. handed are the descriptors that came with it,
// which become the Files of the order. ok is false if b is no order.
func decode(b []byte, handed []int) (o Order, ok bool) {
	rest, ok := string(b), true
	text := func() (s string) {
		before, after, found := strings.Cut(rest, "\x00")
		ok = ok && found
		rest = after
		return before
	}
	number := func() int64 {
		n, err := strconv.ParseInt(text(), 10, 64)
		ok = ok && err == nil
		return n
	}
	count := func() int {
		n := number()
		if n < 0 || n > int64(len(rest)) { // each element takes a byte or more
			n, ok = 0, false
		}
		return int(n)
	}
	flag := func() bool { return number() != 0 }
	texts := func() []string {
		list := make([]string, count())
		for i := range list {
			list[i] = text()
		}
		return list
	}
	o = Order{Path: text(), Args: texts(), Env: texts(), Dir: text()}
	o.Files = make([]int, count())
	for i := range o.Files {
		o.Files[i] = -1
		if flag() && len(handed) > 0 {
			o.Files[i], handed = handed[0], handed[1:]
		}
	}
	o.Setsid, o.Setpgid, o.Pgid = flag(), flag(), int(number())
	o.NoNewPrivs, o.OOMMore = flag(), int(number())
	if flag() {
		o.Own = &Own{UID: uint32(number()), Killer: uint32(number())}
	}
	if flag() {
		o.User = &User{UID: uint32(number()), GID: uint32(number())}
		o.User.Groups = make([]uint32, count())
		for i := range o.User.Groups {
			o.User.Groups[i] = uint32(number())
		}
	}
	return o, ok
}
