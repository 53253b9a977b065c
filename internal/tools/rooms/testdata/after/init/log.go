package supervisor

type log struct{ lines int }

func (l *log) print(n int) { l.lines += n }

const limit = 3
