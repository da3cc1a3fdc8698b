package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"

	"crosspoint/b2bua/mwi"
	"crosspoint/dialplan"
	"crosspoint/internal/tomlfile"
)

// crosspoint messages: for whom voice messages wait.

// postman tells and changes it.
type postman interface {
	messages() []messagesView
	// setMessages notes how many new and old messages an extension has.
	setMessages(extension string, fresh, old int) (messagesView, error)
}

// messagesView is what is known of one extension.
type messagesView struct {
	Extension string `json:"extension"`
	Waiting   bool   `json:"waiting"`
	New       int    `json:"new"`
	Old       int    `json:"old"`
	Text      string `json:"text"`
}

func viewMessages(extension string, s mwi.Summary) messagesView {
	return messagesView{extension, s.Waiting, s.New, s.Old, s.String()}
}

// messageRoutes adds what the control socket understands of it.
func messageRoutes(mux *http.ServeMux, office postman) {
	mux.HandleFunc("GET /messages", func(w http.ResponseWriter, r *http.Request) { reply(w, office.messages()) })
	mux.HandleFunc("POST /messages", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		fresh, err := messageCount("new", r.FormValue("new"))
		old, err2 := messageCount("old", orElse(r.FormValue("old"), "0"))
		if err == nil {
			err = err2
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		v, err := office.setMessages(r.FormValue("extension"), fresh, old)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		reply(w, v)
	})
}

// mostMessages bounds what an extension may be said to have.
const mostMessages = 9999

func messageCount(what, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > mostMessages {
		return 0, fmt.Errorf("%s = %q is no number of messages: write one from 0 to %d", what, text, mostMessages)
	}
	return n, nil
}

// messages implements informant.
func (o *office) messages() []messagesView {
	<-o.ready
	views := []messagesView{}
	for _, p := range o.joined.Plan().Config().Phones {
		if s := o.joined.Messages.Of(p.Extension); s != (mwi.Summary{}) {
			views = append(views, viewMessages(p.Extension, s))
		}
	}
	return views
}

// setMessages implements informant.
func (o *office) setMessages(extension string, fresh, old int) (messagesView, error) {
	<-o.ready
	plan := o.joined.Plan()
	if who, ok := plan.Caller(extension); !ok || who.Kind != dialplan.FromPhone {
		return messagesView{}, fmt.Errorf("%q is no phone of this office%s", extension, tomlfile.Suggest(extension, plan.Callers()))
	}
	s := mwi.Summary{Waiting: fresh > 0, New: fresh, Old: old}
	o.log.Info("messages", "for", extension, "are", s)
	return viewMessages(extension, s), o.joined.Messages.Set(extension, s)
}

func messagesCommand() command {
	var t target
	var old int
	return command{name: "messages", args: "[EXTENSION NEW]", brief: "Shows for whom voice messages wait, or says so",
		about: `
Without arguments, all extensions of which something is known. NEW is how many new
messages the extension has; 0 puts its lamp out. Voice-mail systems tell it by SIP
(voice_mail and mailbox of a [[peer]]); programs do the same as this command by an
HTTP POST of extension, new and old to /messages on the control socket.`,
		flags: func(fs *flag.FlagSet) runner {
			t.flags(fs)
			fs.IntVar(&old, "old", 0, "`NUMBER` of messages that were heard already")
			return func(ctx context.Context, c console, args []string) error {
				switch len(args) {
				case 0:
					return query(ctx, c, t, "/messages", func(all []messagesView) { showMessages(c, all) })
				case 2:
					return setMessages(ctx, c, t, url.Values{"extension": args[:1], "new": args[1:], "old": {strconv.Itoa(old)}})
				}
				return usagef("name an EXTENSION and how many NEW messages it has, or nothing")
			}
		}}
}

func setMessages(ctx context.Context, c console, t target, form url.Values) error {
	a, err := t.asker()
	if err != nil {
		return err
	}
	var v messagesView
	if err := a.order(ctx, "/messages", form, &v); err != nil {
		return err
	}
	if t.json {
		return printJSON(c, v)
	}
	c.printf("%s: %s\n", v.Extension, v.Text)
	return nil
}

func showMessages(c console, all []messagesView) {
	if len(all) == 0 {
		c.printf("no messages wait for anybody\n")
		return
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, v := range all {
		fmt.Fprintf(w, "%s\t%s\n", v.Extension, v.Text)
	}
	w.Flush()
}
