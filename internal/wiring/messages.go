package wiring

import "crosspoint/b2bua/mwi"

// messagesOf tells the telephones of an extension whether messages wait for it.
func (o *Office) messagesOf(extension string, s mwi.Summary) {
	for _, line := range o.Plan().LinesOf(extension) {
		if err := o.Gateway.MessageWaiting(line, s.Waiting); err != nil {
			o.log.Warn("a telephone is not told of its messages", "line", line, "because", err)
		}
	}
}

// messagesOfLines tells all telephones, for there may be new ones.
func (o *Office) messagesOfLines() {
	for _, l := range o.now().parties.Lines {
		if l.Extension != "" {
			o.messagesOf(l.Extension, o.Messages.Of(l.Extension))
		}
	}
}
