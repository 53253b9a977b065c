#include "textflag.h"

// entry is where the kernel begins. A process 1 sets quit as the handler of SIGHUP, SIGINT and SIGTERM,
// unless they are ignored. Go's runtime replaces the handlers. It still calls them for a signal that would end
// the process and that nobody has asked for yet.
//
// The runtime then finds two variables before those of the environment, see Environ.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
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

DATA ·processors+0(SB)/8, $"GOMAXPRO"
DATA ·processors+8(SB)/8, $"CS=1\x00\x00\x00\x00"
GLOBL ·processors(SB), NOPTR|RODATA, $16

DATA ·garbage(SB)/8, $"GOGC=25\x00"
GLOBL ·garbage(SB), NOPTR|RODATA, $8
