package control

import (
	"context"
	"iter"
)

// Info returns the name and the version of the program that answers.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	return callOne[Info](ctx, c, serviceInterface+".GetInfo", struct{}{})
}

// List returns all jobs, or those with the given names.
func (c *Client) List(ctx context.Context, p ListParams) (*ListReply, error) {
	return callOne[ListReply](ctx, c, MethodList, p)
}

// Status returns one job with its processes and its last receipt.
func (c *Client) Status(ctx context.Context, p StatusParams) (*StatusReply, error) {
	return callOne[StatusReply](ctx, c, MethodStatus, p)
}

// Start starts jobs and the jobs that they depend on, and returns when they are ready.
func (c *Client) Start(ctx context.Context, p StartParams) (*StartReply, error) {
	return callOne[StartReply](ctx, c, MethodStart, p)
}

// Stop stops jobs and returns when no process of them is left.
func (c *Client) Stop(ctx context.Context, p StopParams) (*StopReply, error) {
	return callOne[StopReply](ctx, c, MethodStop, p)
}

// Restart stops jobs and starts them again. It returns when they are ready.
func (c *Client) Restart(ctx context.Context, p RestartParams) (*RestartReply, error) {
	return callOne[RestartReply](ctx, c, MethodRestart, p)
}

// Kill kills jobs and returns when no process of them is left.
func (c *Client) Kill(ctx context.Context, p KillParams) (*KillReply, error) {
	return callOne[KillReply](ctx, c, MethodKill, p)
}

// Signal sends a signal to jobs.
func (c *Client) Signal(ctx context.Context, p SignalParams) (*SignalReply, error) {
	return callOne[SignalReply](ctx, c, MethodSignal, p)
}

// Freeze suspends jobs and returns when none of their processes runs.
func (c *Client) Freeze(ctx context.Context, p FreezeParams) (*FreezeReply, error) {
	return callOne[FreezeReply](ctx, c, MethodFreeze, p)
}

// Thaw ends the freeze of jobs.
func (c *Client) Thaw(ctx context.Context, p ThawParams) (*ThawReply, error) {
	return callOne[ThawReply](ctx, c, MethodThaw, p)
}

// Wait returns when all of the jobs have reached the state in p.Until.
func (c *Client) Wait(ctx context.Context, p WaitParams) (*WaitReply, error) {
	return callOne[WaitReply](ctx, c, MethodWait, p)
}

// Events yields events as they happen. It ends when ctx does or when the caller breaks out of the
// loop. The connection cannot be used after that. The first reply comes at once, and no event after
// it is missed.
func (c *Client) Events(ctx context.Context, p EventsParams) iter.Seq2[*EventsReply, error] {
	return callMore[EventsReply](ctx, c, request{Method: MethodEvents, More: true}, p, nil)
}

// History returns the events after p.Since that the supervisor still has.
func (c *Client) History(ctx context.Context, p EventsParams) (*EventsReply, error) {
	return callOne[EventsReply](ctx, c, MethodEvents, p)
}

// Reload makes the supervisor read its configuration again, and returns what has changed.
func (c *Client) Reload(ctx context.Context) (*ReloadReply, error) {
	return callOne[ReloadReply](ctx, c, MethodReload, ReloadParams{})
}

// ReloadJobs makes jobs read their own configuration again. It returns when those that say so have.
func (c *Client) ReloadJobs(ctx context.Context, p ReloadJobsParams) (*ReloadJobsReply, error) {
	return callOne[ReloadJobsReply](ctx, c, MethodReloadJobs, p)
}

// Shutdown stops all jobs and ends the supervisor. It returns when that has begun. [Client.Gone]
// returns when the supervisor has ended.
func (c *Client) Shutdown(ctx context.Context) error {
	_, err := callOne[ShutdownReply](ctx, c, MethodShutdown, ShutdownParams{})
	return err
}

// Health returns whether all jobs that are meant to run do so and are healthy.
func (c *Client) Health(ctx context.Context) (*HealthReply, error) {
	return callOne[HealthReply](ctx, c, MethodHealth, HealthParams{})
}
