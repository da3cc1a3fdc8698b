/*
 * spandsp.c lets spandsp do what our canceller, our digit detector and our caller
 * ID do, for tests and for bench-lines.
 *
 *   models            prints the echo paths of ITU-T G.168 annex D: a name,
 *                     how many coefficients, then these
 *   echo TAPS NLP     reads pairs of samples, sent and received, and writes
 *                     what it leaves; NLP 1: with the nonlinear processor
 *   dtmf              reads a count of samples and the samples, again and
 *                     again, and prints the digits it heard in each
 *   dtmf-tx DIGITS    writes samples of the digits
 *   v21 FLAGS         writes samples of as many HDLC flags as fax machines send
 *   adsi STANDARD     reads samples and prints the messages it heard: "message
 *                     TYPE", then "TYPE VALUE" for each field
 *   adsi-tx STANDARD TYPE FIELD=VALUE…
 *                     writes samples of a message; field 0 has none, and
 *                     "alert" before all others is the alerting tone
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

static void put_samples(const int16_t *pcm, int n)
{
    fwrite(pcm, sizeof *pcm, n, stdout);
}

/* quiet puts silence around what is sent. */
static void quiet(void)
{
    static const int16_t pcm[800];
    put_samples(pcm, 800);
}

static int dtmf_send(const char *digits)
{
    dtmf_tx_state_t *tx = dtmf_tx_init(NULL);
    dtmf_tx_put(tx, digits, -1);
    quiet();
    int16_t pcm[160];
    int n;
    while ((n = dtmf_tx(tx, pcm, 160)) > 0)
        put_samples(pcm, n);
    quiet();
    dtmf_tx_free(tx);
    return 0;
}

static int flag_bit(void *user)
{
    return 0x7e >> (*(int *)user)++ % 8 & 1;
}

static int v21(int flags)
{
    int bits = 0;
    fsk_tx_state_t *tx = fsk_tx_init(NULL, &preset_fsk_specs[FSK_V21CH2], flag_bit, &bits);
    int16_t pcm[160];
    quiet();
    while (bits < 8 * flags)
        put_samples(pcm, fsk_tx(tx, pcm, 160));
    quiet();
    fsk_tx_free(tx);
    return 0;
}

static const struct { const char *name; int standard; } standards[] = {
    {"class", ADSI_STANDARD_CLASS},
    {"clip", ADSI_STANDARD_CLIP},
    {"aclip", ADSI_STANDARD_ACLIP},
    {"jclip", ADSI_STANDARD_JCLIP},
    {"clip-dtmf", ADSI_STANDARD_CLIP_DTMF},
};

static int standard_of(const char *name)
{
    for (size_t i = 0; i < sizeof standards / sizeof standards[0]; i++)
        if (strcmp(standards[i].name, name) == 0)
            return standards[i].standard;
    return ADSI_STANDARD_NONE;
}

static adsi_rx_state_t *adsi_receiver;

static void heard(void *user, const uint8_t *message, int len)
{
    (void)user;
    uint8_t type;
    const uint8_t *value;
    int n, at = -1, first = 1;
    while ((at = adsi_next_field(adsi_receiver, message, len, at, &type, &value, &n)) > 0) {
        if (first)
            printf("message %d\n", type);
        else if (n > 0)
            printf("%d %.*s\n", type, n, (const char *)value);
        first = 0;
    }
    if (at < -1)
        printf("corrupt\n");
}

static int adsi_hear(int standard)
{
    adsi_receiver = adsi_rx_init(NULL, standard, heard, NULL);
    int16_t pcm[160];
    size_t n;
    while ((n = fread(pcm, sizeof *pcm, 160, stdin)) > 0)
        adsi_rx(adsi_receiver, pcm, n);
    adsi_rx_free(adsi_receiver);
    return 0;
}

static int adsi_send(int standard, int type, char **fields, int n)
{
    adsi_tx_state_t *tx = adsi_tx_init(NULL, standard);
    uint8_t message[256];
    int len = adsi_add_field(tx, message, -1, type, NULL, 0);
    int alert = 0;
    for (int i = 0; i < n; i++) {
        if (strcmp(fields[i], "alert") == 0) {
            alert = 1;
            continue;
        }
        char *value = strchr(fields[i], '=');
        if (value == NULL)
            return 2;
        value++;
        len = adsi_add_field(tx, message, len, atoi(fields[i]), (uint8_t *)value, strlen(value));
    }
    quiet();
    if (alert)
        adsi_tx_send_alert_tone(tx);
    adsi_tx_put_message(tx, message, len);
    int16_t pcm[160];
    int some;
    while ((some = adsi_tx(tx, pcm, 160)) > 0)
        put_samples(pcm, some);
    quiet();
    adsi_tx_free(tx);
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
    if (argc == 3 && strcmp(argv[1], "dtmf-tx") == 0)
        return dtmf_send(argv[2]);
    if (argc == 3 && strcmp(argv[1], "v21") == 0)
        return v21(atoi(argv[2]));
    if (argc == 3 && strcmp(argv[1], "adsi") == 0 && standard_of(argv[2]) != ADSI_STANDARD_NONE)
        return adsi_hear(standard_of(argv[2]));
    if (argc > 3 && strcmp(argv[1], "adsi-tx") == 0 && standard_of(argv[2]) != ADSI_STANDARD_NONE)
        return adsi_send(standard_of(argv[2]), atoi(argv[3]), argv + 4, argc - 4);
    fprintf(stderr, "usage: spandsp models | echo TAPS NLP | dtmf | dtmf-tx DIGITS | v21 FLAGS | adsi STANDARD | adsi-tx STANDARD TYPE FIELD=VALUE...\n");
    return 2;
}
