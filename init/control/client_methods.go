package control

import (
	"context"
	"iter"
)

// Info asks who answers.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	return call[Info](ctx, c, service+".GetInfo", struct{}{})
}

// List returns all jobs, or those named.
func (c *Client) List(ctx context.Context, p ListParams) (*ListReply, error) {
	return call[ListReply](ctx, c, MethodList, p)
}

// Status returns one job with its processes, and its last receipt.
func (c *Client) Status(ctx context.Context, p StatusParams) (*StatusReply, error) {
	return call[StatusReply](ctx, c, MethodStatus, p)
}

// Start starts jobs and what they depend on, and returns when they are ready.
func (c *Client) Start(ctx context.Context, p StartParams) (*StartReply, error) {
	return call[StartReply](ctx, c, MethodStart, p)
}

// Stop stops jobs and returns when nothing of them is left.
func (c *Client) Stop(ctx context.Context, p StopParams) (*StopReply, error) {
	return call[StopReply](ctx, c, MethodStop, p)
}

// Restart stops jobs and starts them again.
func (c *Client) Restart(ctx context.Context, p RestartParams) (*RestartReply, error) {
	return call[RestartReply](ctx, c, MethodRestart, p)
}

// Kill kills jobs and returns when nothing of them is left.
func (c *Client) Kill(ctx context.Context, p KillParams) (*KillReply, error) {
	return call[KillReply](ctx, c, MethodKill, p)
}

// Signal sends a signal to jobs.
func (c *Client) Signal(ctx context.Context, p SignalParams) (*SignalReply, error) {
	return call[SignalReply](ctx, c, MethodSignal, p)
}

// Freeze suspends jobs and returns when they stand still.
func (c *Client) Freeze(ctx context.Context, p FreezeParams) (*FreezeReply, error) {
	return call[FreezeReply](ctx, c, MethodFreeze, p)
}

// Thaw lets frozen jobs go on.
func (c *Client) Thaw(ctx context.Context, p ThawParams) (*ThawReply, error) {
	return call[ThawReply](ctx, c, MethodThaw, p)
}

// Wait returns when all of the jobs have come as far as p says.
func (c *Client) Wait(ctx context.Context, p WaitParams) (*WaitReply, error) {
	return call[WaitReply](ctx, c, MethodWait, p)
}

// Events yields what happens until the caller breaks off, which ends the connection's use, or
// ctx does. The first reply comes at once: from then on nothing is missed.
func (c *Client) Events(ctx context.Context, p EventsParams) iter.Seq2[*EventsReply, error] {
	return stream[EventsReply](ctx, c, request{Method: MethodEvents, More: true}, p, nil)
}

// History returns what has happened and is still known.
func (c *Client) History(ctx context.Context, p EventsParams) (*EventsReply, error) {
	return call[EventsReply](ctx, c, MethodEvents, p)
}

// Reload makes the supervisor read its configuration again.
func (c *Client) Reload(ctx context.Context) (*ReloadReply, error) {
	return call[ReloadReply](ctx, c, MethodReload, ReloadParams{})
}

// Shutdown stops all jobs and ends the supervisor; it returns when that has begun. [Client.Gone]
// tells when all is over.
func (c *Client) Shutdown(ctx context.Context) error {
	_, err := call[ShutdownReply](ctx, c, MethodShutdown, ShutdownParams{})
	return err
}

// Health says whether all that is to run does and is healthy.
func (c *Client) Health(ctx context.Context) (*HealthReply, error) {
	return call[HealthReply](ctx, c, MethodHealth, HealthParams{})
}
