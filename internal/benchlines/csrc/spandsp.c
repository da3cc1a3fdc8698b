/*
 * spandsp.c lets spandsp do what our canceller and our digit detector do.
 *
 *   models            prints the echo paths of ITU-T G.168 annex D: a name,
 *                     how many coefficients, then these
 *   echo TAPS NLP     reads pairs of samples, sent and received, and writes
 *                     what it leaves; NLP 1: with the nonlinear processor
 *   dtmf              reads a count of samples and the samples, again and
 *                     again, and prints the digits it heard in each
 *
 * Samples are 16 bits, counts 32 bits, in the byte order of the machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <spandsp.h>
#include <spandsp/g168models.h>

static void model(const char *name, const int32_t *c, int n, double gain)
{
    printf("%s %d", name, n);
    for (int i = 0; i < n; i++)
        printf(" %.9g", c[i] * gain);
    printf("\n");
}

#define MODEL(d, D) model(#D, line_model_##d##_coeffs, \
    sizeof line_model_##d##_coeffs / sizeof line_model_##d##_coeffs[0], LINE_MODEL_##D##_GAIN)

static int models(void)
{
    MODEL(d2, D2);
    MODEL(d3, D3);
    MODEL(d4, D4);
    MODEL(d5, D5);
    MODEL(d6, D6);
    MODEL(d7, D7);
    MODEL(d8, D8);
    MODEL(d9, D9);
    return 0;
}

static int echo(int taps, int nlp)
{
    int mode = ECHO_CAN_USE_ADAPTION;
    if (nlp)
        mode |= ECHO_CAN_USE_NLP | ECHO_CAN_USE_CNG;
    echo_can_state_t *ec = echo_can_init(taps, mode);
    /* The canceller prints what it thinks; what it leaves goes another way. */
    FILE *out = fdopen(dup(1), "wb");
    if (out == NULL || freopen("/dev/null", "w", stdout) == NULL)
        return 1;
    int16_t pair[2];
    while (fread(pair, sizeof pair, 1, stdin) == 1) {
        int16_t clean = echo_can_update(ec, pair[0], pair[1]);
        fwrite(&clean, sizeof clean, 1, out);
    }
    echo_can_free(ec);
    return fclose(out) != 0;
}

static int dtmf(void)
{
    uint32_t n;
    while (fread(&n, sizeof n, 1, stdin) == 1) {
        int16_t *pcm = malloc(n * sizeof *pcm + 1);
        if (pcm == NULL || fread(pcm, sizeof *pcm, n, stdin) != n)
            return 1;
        dtmf_rx_state_t *rx = dtmf_rx_init(NULL, NULL, NULL);
        char digits[256];
        for (uint32_t at = 0; at < n; at += 160) {
            uint32_t some = n - at < 160 ? n - at : 160;
            dtmf_rx(rx, pcm + at, some);
            while (dtmf_rx_get(rx, digits, sizeof digits - 1) > 0)
                printf("%s", digits);
        }
        printf("\n");
        fflush(stdout);
        dtmf_rx_free(rx);
        free(pcm);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "models") == 0)
        return models();
    if (argc == 4 && strcmp(argv[1], "echo") == 0)
        return echo(atoi(argv[2]), atoi(argv[3]));
    if (argc == 2 && strcmp(argv[1], "dtmf") == 0)
        return dtmf();
    fprintf(stderr, "usage: spandsp models | echo TAPS NLP | dtmf\n");
    return 2;
}
