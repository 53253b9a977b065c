package programs

import (
	"path"
	"slices"
	"strings"
)

// inner returns the command that a command executes in the end, as far as its words tell.
func inner(args []string) []string {
	const deepest = 8
	for range deepest {
		next := within(args)
		if len(next) == 0 {
			return args
		}
		args = next
	}
	return args
}

// within returns the command that a command executes in its place; nil if it is none that does.
func within(args []string) []string {
	if len(args) < 2 {
		return nil
	}
	name, rest := path.Base(args[0]), args[1:]
	switch {
	case strings.Contains(name, "entrypoint"): // docker-entrypoint.sh, as the official images call it
		return rest
	case isShell(name):
		for i, arg := range rest {
			if isLetters(arg) && strings.HasSuffix(arg, "c") && i+1 < len(rest) {
				return lastExec(rest[i+1])
			}
		}
		return nil
	case strings.HasPrefix(name, "python"):
		if i := slices.Index(rest, "-m"); i >= 0 {
			return rest[i+1:]
		}
		return script(rest)
	case strings.HasPrefix(name, "ruby"):
		return script(rest)
	case name == "bundle" && rest[0] == "exec":
		return rest[1:]
	}
	for line := range strings.SplitSeq(preparing, "\n") {
		if words := strings.Fields(line); words[0] == name {
			args = afterFlags(rest, words[1:])
			if words[len(words)-1] == "USER" {
				args = args[min(1, len(args)):]
			}
			return args
		}
	}
	return nil
}

// preparing has a line for each program that only prepares the execution of another: its flags with a value, and
// USER if the first word behind the flags is one.
const preparing = `env -u -C --unset --chdir
exec
nohup
setsid
nice -n
stdbuf -i -o -e
gosu USER
su-exec USER
setuidgid USER
chpst -u -U -b -/ -n -l -L -m -d -o -p -f -c -t -e
setpriv --reuid --regid --groups --bounding-set --inh-caps --ambient-caps --securebits --pdeathsig
tini -p -e
docker-init -p -e
dumb-init -r --rewrite`

// script returns the command of an interpreter that runs an installed program; nil if it runs something else.
func script(args []string) []string {
	if args = afterFlags(args, nil); len(args) > 0 && strings.Contains(args[0], "/bin/") {
		return args
	}
	return nil
}

func isShell(name string) bool { return slices.Contains([]string{"sh", "bash", "dash", "ash"}, name) }

// isLetters tells whether an argument is a dash and letters.
func isLetters(arg string) bool { return len(arg) > 1 && arg[0] == '-' && arg[1] != '-' }

// afterFlags returns what follows the flags and the assignments of a command. The next word is the value of those
// flags that are named.
func afterFlags(args []string, valued []string) []string {
	for i := 0; i < len(args); i++ {
		name, _, isAssignment := strings.Cut(args[i], "=")
		switch {
		case args[i] == "--":
			return args[i+1:]
		case slices.Contains(valued, args[i]):
			i++
		case strings.HasPrefix(name, "-") || isAssignment && !strings.Contains(name, "/"):
		default:
			return args[i:]
		}
	}
	return nil
}

// lastExec returns the words of the last command that a script tells its shell to execute in its own place.
func lastExec(text string) (words []string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		fields := strings.Fields(line)
		for i, word := range fields {
			if word[0] == '#' {
				break
			}
			if word == "exec" && (i == 0 || beginsCommand(fields[i-1])) {
				words = simpleCommand(fields[i+1:])
			}
		}
	}
	return words
}

// beginsCommand tells whether a command can follow a word of a script.
func beginsCommand(word string) bool {
	return strings.IndexByte(";&|({", word[len(word)-1]) >= 0 || word == "then" || word == "else" || word == "do"
}

// simpleCommand returns the words up to the end of a command, without their quotes.
func simpleCommand(fields []string) (words []string) {
	for _, word := range fields {
		if word[0] == '#' {
			break
		}
		bare := strings.TrimRight(word, ";&|)")
		if w := strings.Trim(bare, `"'`); w != "" {
			words = append(words, w)
		}
		if bare != word {
			break
		}
	}
	return words
}
