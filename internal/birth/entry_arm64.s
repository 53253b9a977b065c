#include "textflag.h"

// entry is where the kernel begins. See entry_amd64.s.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVD $172, R8 // getpid
	SVC
	CMP  $1, R0
	BNE  runtime
	SUB  $64, RSP // the action that was set, then ours
	MOVD $·quit(SB), R9
	MOVD R9, 32(RSP)
	MOVD ZR, 40(RSP)
	MOVD ZR, 48(RSP)
	MOVD ZR, 56(RSP)
	MOVD $1, R20 // SIGHUP
	BL   ·catch(SB)
	MOVD $2, R20 // SIGINT
	BL   ·catch(SB)
	MOVD $15, R20 // SIGTERM
	BL   ·catch(SB)
	ADD  $64, RSP

runtime:
	MOVD 0(RSP), R9 // argc
	ADD  $16, RSP, R10
	ADD  R9<<3, R10, R10
	MOVD R10, ·environment(SB)
	SUB  $16, RSP // makes room for two variables before the first
	MOVD RSP, R12
	ADD  $2, R9, R9 // argc, the arguments and the zero after them move down

move:
	MOVD 16(R12), R13
	MOVD R13, (R12)
	ADD  $8, R12
	SUB  $1, R9
	CBNZ R9, move
	MOVD $·processors(SB), R13
	MOVD R13, 0(R12)
	MOVD $·garbage(SB), R13
	MOVD R13, 8(R12)
	B    _rt0_arm64_linux(SB)

// catch sets the handler of signal R20, if its action is the default.
TEXT ·catch(SB),NOSPLIT|NOFRAME,$0
	MOVD $134, R8 // rt_sigaction
	MOVD R20, R0
	MOVD ZR, R1
	MOVD RSP, R2
	MOVD $8, R3
	SVC
	CBNZ R0, done
	MOVD 0(RSP), R9
	CBNZ R9, done // not SIG_DFL
	MOVD $134, R8
	MOVD R20, R0
	ADD  $32, RSP, R1
	MOVD ZR, R2
	MOVD $8, R3
	SVC

done:
	RET

// quit is a signal handler. It ends the process with 128 plus the signal.
TEXT ·quit(SB),NOSPLIT|NOFRAME,$0
	ADD  $128, R0, R0
	MOVD $94, R8 // exit_group
	SVC

DATA ·processors+0(SB)/8, $"GOMAXPRO"
DATA ·processors+8(SB)/8, $"CS=1\x00\x00\x00\x00"
GLOBL ·processors(SB), NOPTR|RODATA, $16

DATA ·garbage(SB)/8, $"GOGC=25\x00"
GLOBL ·garbage(SB), NOPTR|RODATA, $8
