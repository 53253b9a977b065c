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
	B _rt0_arm64_linux(SB)

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
