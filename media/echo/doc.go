// Package echo takes the echo of our own voice out of what a telephone line
// says: a line echo canceller for the hybrid of a two-wire line (ITU-T G.168),
// in 16-bit linear samples at 8 kHz.
//
// A Canceller models the echo path by an adaptive filter in the frequency
// domain that weighs each correction by how sure it is of each frequency (a
// Kalman filter), so that it learns fast and neither a near talker nor a tone
// misleads it. What little echo is left a nonlinear processor replaces by
// comfort noise while the near end is silent. A Disabler tells when fax or modem
// signals want the line left alone.
//
// Both belong to one goroutine, keep no clock but the samples, and allocate
// nothing after they are made. How the samples sent are lined up with those
// received is their owner's business.
package echo
