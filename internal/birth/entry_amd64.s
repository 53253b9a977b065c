#include "textflag.h"

// entry is where the kernel begins. A process 1 sets quit as the handler of SIGHUP, SIGINT and SIGTERM,
// unless they are ignored. Go's runtime replaces the handlers. It still calls them for a signal that would end
// the process and that nobody has asked for yet.
//
// The runtime then finds two variables before those of the environment, see Environ.
//
// A guardian waits here, without Go's runtime: see guard.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	CMPQ 0(SP), $5
	JLT  start
	MOVQ 16(SP), AX // argv[1]; eight bytes of it can be read whatever its length
	MOVQ ·guardian+0(SB), CX
	CMPQ 0(AX), CX
	JNE  start
	MOVQ ·guardian+8(SB), CX
	CMPQ 8(AX), CX
	JNE  start
	JMP  ·guard(SB)

start:
	MOVQ $39, AX // getpid
	SYSCALL
	CMPQ AX, $1
	JNE  runtime
	SUBQ $64, SP // the action that was set, then ours
	LEAQ ·quit(SB), AX
	MOVQ AX, 32(SP)
	MOVQ $0x04000000, 40(SP) // SA_RESTORER: the kernel demands one, which quit never returns to
	MOVQ AX, 48(SP)
	MOVQ $0, 56(SP)
	MOVQ $1, R12 // SIGHUP
	CALL ·catch(SB)
	MOVQ $2, R12 // SIGINT
	CALL ·catch(SB)
	MOVQ $15, R12 // SIGTERM
	CALL ·catch(SB)
	ADDQ $64, SP

runtime:
	MOVQ 0(SP), CX // argc
	LEAQ 16(SP)(CX*8), AX
	MOVQ AX, ·environment(SB)
	SUBQ $16, SP // makes room for two variables before the first
	MOVQ SP, DI
	LEAQ 16(SP), SI
	ADDQ $2, CX // argc, the arguments and the zero after them move down
	CLD
	REP; MOVSQ
	LEAQ ·processors(SB), AX
	MOVQ AX, 0(DI)
	LEAQ ·garbage(SB), AX
	MOVQ AX, 8(DI)
	JMP  _rt0_amd64_linux(SB)

// catch sets the handler of signal R12, if its action is the default.
TEXT ·catch(SB),NOSPLIT|NOFRAME,$0
	MOVQ $13, AX // rt_sigaction
	MOVQ R12, DI
	MOVQ $0, SI
	LEAQ 8(SP), DX
	MOVQ $8, R10
	SYSCALL
	CMPQ AX, $0
	JNE  done
	CMPQ 8(SP), $0 // SIG_DFL
	JNE  done
	MOVQ $13, AX
	MOVQ R12, DI
	LEAQ 40(SP), SI
	MOVQ $0, DX
	MOVQ $8, R10
	SYSCALL

done:
	RET

// quit is a signal handler. It ends the process with 128 plus the signal.
TEXT ·quit(SB),NOSPLIT|NOFRAME,$0
	ADDQ $128, DI
	MOVQ $231, AX // exit_group
	SYSCALL
	INT  $3

// guard is a guardian. Its arguments are its name, its role, the number of a descriptor of cgroup.events, and the
// path and the arguments of the program that follows it. It waits until descriptor 0 ends, together with the supervisor. Then it writes
// to descriptor 1, cgroup.kill, until the cgroup is empty, but no longer than 0.6 s, and executes that program.
// It kills before any Go program could: if a fork bomb has taken the last pid, that could not start a
// thread.
TEXT ·guard(SB),NOSPLIT|NOFRAME,$0
	MOVQ SP, BX
	SUBQ $64, SP // 0: what is read and written, 48: a time
	MOVQ $157, AX // prctl
	MOVQ $15, DI  // PR_SET_NAME
	LEAQ ·name(SB), SI
	SYSCALL
	MOVQ $5000000, R14 // ns until the next write
	MOVQ 24(BX), SI
	MOVQ $0, R13 // the number of the descriptor

digit:
	MOVBQZX 0(SI), AX
	SUBQ $48, AX
	JLT  wait
	IMUL3Q $10, R13, R13
	ADDQ AX, R13
	INCQ SI
	JMP  digit

wait:
	MOVQ $0, AX // read
	MOVQ $0, DI
	MOVQ SP, SI
	MOVQ $1, DX
	SYSCALL
	CMPQ AX, $-4 // EINTR
	JEQ  wait

kill:
	MOVB $49, 0(SP)
	MOVQ $1, AX // write
	MOVQ $1, DI
	MOVQ SP, SI
	MOVQ $1, DX
	SYSCALL
	CMPQ AX, $1
	JNE  follow // the kernel has no cgroup.kill
	MOVQ $17, AX // pread64
	MOVQ R13, DI
	MOVQ SP, SI
	MOVQ $32, DX
	MOVQ $0, R10
	SYSCALL
	CMPQ AX, $11
	JLT  follow
	CMPB 10(SP), $48 // "populated 0"
	JEQ  follow
	CALL ·pause(SB)
	CMPQ R14, $300000000
	JGT  follow // what is left is killed by pid
	ADDQ R14, R14
	JMP  kill

follow:
	MOVQ $59, AX // execve
	MOVQ 32(BX), DI
	LEAQ 40(BX), SI
	MOVQ $0, 0(SP)
	MOVQ SP, DX // no variables
	SYSCALL
	CALL ·pause(SB) // there is no memory for it now
	JMP  follow

// pause sleeps for R14 nanoseconds.
TEXT ·pause(SB),NOSPLIT|NOFRAME,$0
	MOVQ $0, 56(SP) // the return address lies below
	MOVQ R14, 64(SP)
	MOVQ $35, AX // nanosleep
	LEAQ 56(SP), DI
	MOVQ $0, SI
	SYSCALL
	RET

DATA ·guardian+0(SB)/8, $"--self-g"
DATA ·guardian+8(SB)/8, $"uardian\x00"
GLOBL ·guardian(SB), NOPTR|RODATA, $16

DATA ·name+0(SB)/8, $"cginit-g"
DATA ·name+8(SB)/8, $"uardian\x00"
GLOBL ·name(SB), NOPTR|RODATA, $16

DATA ·processors+0(SB)/8, $"GOMAXPRO"
DATA ·processors+8(SB)/8, $"CS=1\x00\x00\x00\x00"
GLOBL ·processors(SB), NOPTR|RODATA, $16

DATA ·garbage(SB)/8, $"GOGC=25\x00"
GLOBL ·garbage(SB), NOPTR|RODATA, $8
